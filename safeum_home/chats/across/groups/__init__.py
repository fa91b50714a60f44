"""Groups whose members are at several nodes: their hubs, and the copies of others."""
