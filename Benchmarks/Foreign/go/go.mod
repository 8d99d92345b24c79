module get

go 1.24

require github.com/swift-dagstore/dagstore-go v0.0.0

replace github.com/swift-dagstore/dagstore-go => ../../../CModules/CDAGStore/go
