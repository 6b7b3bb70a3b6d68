"""The pages of the site that are looked at: the work list, an episode, pictures, what was found, and who looked."""
