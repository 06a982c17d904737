"""Pages from the project's own Quarto documents, with Quarto or without it."""
