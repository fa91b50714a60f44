"""Text messages to phone numbers: the bridges to providers, and what stands in front of all of them."""
