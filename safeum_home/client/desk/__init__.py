"""What a person does at a terminal, and what is shown to them: without a terminal."""
