"""What a finished run recommends for any histories."""
