"""Cost of several people before one camera, beside one."""
