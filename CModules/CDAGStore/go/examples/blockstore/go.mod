// A module of its own, because it needs modules of IPFS: run go mod tidy with a network first.
module github.com/swift-dagstore/dagstore-go/examples/blockstore

go 1.24

require github.com/swift-dagstore/dagstore-go v0.0.0

replace github.com/swift-dagstore/dagstore-go => ../..
