"""Who works with the site: users, their roles, and their passwords."""
