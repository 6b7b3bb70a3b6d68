"""Why a day has its verdict, and the smallest change that would turn it."""
