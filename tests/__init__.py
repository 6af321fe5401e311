"""The tests: they mirror the packages; `journeys/` tells whole stories, `stack/` runs real processes."""
