module get

go 1.21
