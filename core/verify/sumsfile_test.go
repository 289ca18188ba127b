package verify_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/verify"
)

func FuzzSumsFile(f *testing.F) {
	sum := sha256.Sum256(nil)
	for _, text := range []string{
		fmt.Sprintf("%x  greeter\n", sum), fmt.Sprintf("%x *greeter\r\n", sum),
		fmt.Sprintf("SHA256 (greeter) = %x\n", sum), fmt.Sprintf("\\%x  gree\\nter\n", sum),
		"", " ", "\\", "x  greeter", "SHA256 () = ", "SHA256 (greeter) = 00\n",
		"#  greeter\n", fmt.Sprintf("\ufeff%x  greeter\n%x  ./greeter\n", sum, sum),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := verify.LookUpSum(t.TempDir(), text, "greeter")
		var unlisted *verify.SumsError
		switch {
		case err != nil && !errors.As(err, &unlisted):
			t.Errorf("the error is %v", err)
		case err == nil && len(got) != sha256.Size:
			t.Errorf("a sum of %d bytes", len(got))
		case err == nil && !bytes.Contains([]byte(strings.ToLower(text)), fmt.Appendf(nil, "%x", got)):
			t.Errorf("the sum %x is not in the file", got)
		}
	})
}
