//! Delivered files: from bytes to a typed command.
