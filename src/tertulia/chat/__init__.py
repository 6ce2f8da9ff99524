"""What every face shares: what is asked, what happened, what can be typed, and the words for it."""
