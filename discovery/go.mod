module github.com/jackfield-go/jackfield/discovery

go 1.25.0

require github.com/Masterminds/semver/v3 v3.5.0

require golang.org/x/sys v0.47.0
