"""Acts as they are done at the site: a form, its effect before anything is recorded, and then the act itself."""
