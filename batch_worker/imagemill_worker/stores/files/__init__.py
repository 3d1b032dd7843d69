"""Objects that are files of a folder: keys and bodies in, files that are whole out.

Enter by `folder.FolderObjects`. May import what stores may.
"""
