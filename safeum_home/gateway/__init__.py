"""The edge that clients connect to: WebSocket sessions and a few HTTP resources."""
