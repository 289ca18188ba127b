package main

import (
	"slices"
	"testing"
)

func TestParseListGivesEachTargetItsPackage(t *testing.T) {
	list := "?   \texample.org/m\t[no test files]\n" +
		"FuzzLine\nFuzzVersions\nok  \texample.org/m/handshake\t0.003s\n" +
		"ok  \texample.org/m/host\t0.003s\n" +
		"FuzzLog\nok  \texample.org/m/logs\t0.003s\n"
	want := []target{
		{"example.org/m/handshake", "FuzzLine"},
		{"example.org/m/handshake", "FuzzVersions"},
		{"example.org/m/logs", "FuzzLog"},
	}
	if got := parseList(list); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
