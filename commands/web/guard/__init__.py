"""Who gets through to the site: hosts, sessions, roles, and connections that say nothing."""
