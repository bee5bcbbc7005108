"""What a workflow asks for."""
