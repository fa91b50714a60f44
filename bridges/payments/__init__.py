"""Payments: providers on whose pages people pay, and statements of banks."""
