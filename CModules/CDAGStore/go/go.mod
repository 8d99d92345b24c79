module github.com/swift-dagstore/dagstore-go

go 1.24
