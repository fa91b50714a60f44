"""Durable storage: group commit, two dialects, and one small module of plain functions per concern."""
