"""A folder as Kubernetes mounts a ConfigMap or a Secret: its files are symlinks into ..data, which is one too."""

import os


class Volume:
    def __init__(self, folder):
        self.folder = folder
        self._n = 0
        folder.mkdir()

    def write(self, **files):
        """Replace all files at once; a name's "__" is a point."""
        self._n += 1
        version = self.folder / f"..{self._n}"
        version.mkdir()
        for name, text in files.items():
            file = name.replace("__", ".")
            (version / file).write_text(text)
            (version / file).chmod(0o600)
            if not (self.folder / file).is_symlink():
                (self.folder / file).symlink_to(f"..data/{file}")
        (self.folder / "..new").symlink_to(version.name)
        os.replace(self.folder / "..new", self.folder / "..data")
