"""Every acceleration of minibert, each asked for by name. The core imports none of them by itself."""
