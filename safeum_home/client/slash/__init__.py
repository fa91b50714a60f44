"""The commands of the terminal client, and whom and what their arguments mean."""
