package verify_test

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/verify"
)

// The same vectors hold for package sums of the module discovery.
func TestSumsFileAgreesWithTheVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/sums.json")
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
		sum, err := verify.LookUpSumIn(filepath.Join(t.TempDir(), cmp.Or(vector.List, "SHA256SUMS")), text, "plug")
		got := map[bool]string{true: "A"}[err == nil && hex.EncodeToString(sum) == table.A]
		var wrong *verify.SumsError
		switch {
		case !errors.As(err, &wrong):
		case strings.Contains(wrong.Reason, "is not listed"):
			got = "unlisted"
		case strings.Contains(wrong.Reason, "another sum"):
			got = "ambiguous"
		case wrong.Line > 0:
			got = "broken"
		}
		if got != vector.Want {
			t.Errorf("%s: %q (%x, %v), want %q", vector.Title, got, sum, err, vector.Want)
		}
	}
}
