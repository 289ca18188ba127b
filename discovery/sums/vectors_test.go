package sums_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery/sums"
)

// The same vectors hold for core/host's SumsFile.
func TestListAgreesWithTheVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		A, B    string
		Vectors []struct{ Title, List, Text, Want string }
	}
	if err := json.Unmarshal(data, &table); err != nil || len(table.Vectors) == 0 {
		t.Fatal(err)
	}
	for _, vector := range table.Vectors {
		text := strings.NewReplacer("{A}", table.A, "{B}", table.B).Replace(vector.Text)
		sum, err := sums.Lookup(cmp.Or(vector.List, "SHA256SUMS"), []byte(text), "plug")
		var broken *sums.LineError
		got := map[bool]string{true: "A"}[err == nil && sum.String() == table.A]
		switch {
		case errors.Is(err, sums.ErrAmbiguous):
			got = "ambiguous"
		case errors.Is(err, sums.ErrNotListed):
			got = "unlisted"
		case errors.As(err, &broken):
			got = "broken"
		}
		if got != vector.Want {
			t.Errorf("%s: %q (%v, %v), want %q", vector.Title, got, sum, err, vector.Want)
		}
	}
}
