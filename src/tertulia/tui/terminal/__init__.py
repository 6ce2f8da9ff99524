"""What stands between the terminal and Textual."""
