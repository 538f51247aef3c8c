"""What to do: messages in, a plan out. Pure; knows no socket, no store, no tensor."""
