"""Why a video gets the classes it gets: what its frames bring, and what is like it."""
