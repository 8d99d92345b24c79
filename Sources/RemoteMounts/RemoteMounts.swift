/// The module of this name; its parts follow.
enum RemoteMountsModule {}
