"""Files of chats: uploads, downloads, and what is left of them when they are gone (docs/files.md)."""
