"""Three nodes, six people and two groups, while links break and nodes are killed: `make chaos`, docs/chaos.md."""
