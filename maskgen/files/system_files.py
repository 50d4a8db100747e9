"""Names of system files and folders, such as ``.DS_Store``; images in other hidden folders are inputs."""

# In lower case; the comparison ignores case.
_NAMES = frozenset(
    (
        # macOS
        *(".ds_store", "__macosx", ".appledouble", ".fseventsd", ".trashes", ".temporaryitems", ".localized"),
        *(".spotlight-v100", ".documentrevisions-v100", ".apdisk", ".volumeicon.icns", "icon\r"),
        # Windows
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$recycle.bin", "recycler"),
        *("system volume information", "found.000"),
        # Linux
        *("lost+found", ".directory", ".trash", ".thumbnails", ".snapshot", ".snapshots", ".zfs", ".nomedia"),
        # disk stations of Synology and QNAP
        *("@eadir", "#recycle", "#snapshot", "@tmp", "@sharebin", "@recycle", ".@__thumb"),
        *("@recently-snapshot", ".synologyworkingdirectory", "syno@.fileindexdb"),
        # programs that synchronise folders
        *(".dropbox", ".dropbox.cache", ".dropbox.attr", ".tmp.drivedownload", ".tmp.driveupload", ".sync"),
        *(".stfolder", ".stversions", ".stignore", ".owncloudsync.log", ".nextcloudsync.log"),
        # version control and data versioning
        *(".git", ".gitattributes", ".gitignore", ".gitkeep", ".gitmodules", ".svn", ".hg", ".bzr", ".dvc"),
        *(".dvcignore", ".datalad", ".huggingface", ".cache"),
        # editors and image viewers
        *(".ipynb_checkpoints", "__pycache__", ".idea", ".vscode", ".picasa.ini", "picasa.ini"),
        *(".picasaoriginals", ".bridgecache", ".bridgecachet", "zbthumbnail.info"),
    )
)
# "._a.jpg" holds macOS metadata of a.jpg; the last two are deleted files that are still open.
_BEGINNINGS = ("._", ".trash-", ".nfs0", ".fuse_hidden")


def is_system_name(name: str) -> bool:
    """Whether a file or folder of this name, with its content, belongs to the system."""
    lower = name.lower()
    return lower in _NAMES or lower.startswith(_BEGINNINGS)
