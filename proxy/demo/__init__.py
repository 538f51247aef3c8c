"""What `laconic demo` shows: three requests of the kind that teams pay for, and an upstream that needs no key."""
