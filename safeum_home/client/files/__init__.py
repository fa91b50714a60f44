"""Files: uploads, downloads, and what becomes of them on a disk."""
