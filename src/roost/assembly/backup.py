class BackupFailed(Exception):
    pass
