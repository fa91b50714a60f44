"""Sound and pictures of calls with aiortc: needs the extra `safeum-home[calls]`. `studio` is the way in."""
