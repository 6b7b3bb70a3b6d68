"""The page of one episode, for a browser or for print."""
