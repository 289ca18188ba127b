package handshake_test

import (
	"slices"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
)

func TestStripIgnoresTheCaseOfNamesOnWindows(t *testing.T) {
	got := handshake.Strip([]string{"Path=x", "Plugin_Client_Cert=stale"})
	if want := []string{"Path=x"}; !slices.Equal(got, want) {
		t.Errorf("Strip = %q, want %q", got, want)
	}
}
