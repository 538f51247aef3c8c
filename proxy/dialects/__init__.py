"""Where the texts sit in each API's request body, and how they are put back."""
