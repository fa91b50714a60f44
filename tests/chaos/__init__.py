"""Three nodes, six people, two groups, while links break and nodes are killed: docs/chaos.md."""
