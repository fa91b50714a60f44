"""HTTP requests to others, with everything bounded: what bridges and federation have in common."""
