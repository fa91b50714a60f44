"""Chats: messages, receipts, history, delivery."""
