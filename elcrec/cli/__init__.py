"""The commands of `elcrec`, one file each: parser and function together."""
