"""Direct chats whose members are on different nodes: what is told of them, and what is heard."""
