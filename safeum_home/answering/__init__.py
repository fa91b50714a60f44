"""What answers calls where nobody does: a process of its own, with aiortc (`safeum-home[voicemail]`)."""
