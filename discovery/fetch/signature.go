package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"aead.dev/minisign"
)

// Scheme is a kind of signature. The zero value is none.
type Scheme struct {
	// Suffix is the suffix of a signature's file name, after the signed file's name:
	// ".minisig".
	Suffix string
	// Verify returns nil for a good signature.
	Verify func(ctx context.Context, signed Signed) error
}

// Signed is a file with its signature.
type Signed struct {
	// Name is the file's.
	Name string
	// Content is the signed content.
	Content io.Reader
	// Signature is the content of the signature's file.
	Signature []byte
}

func (s Scheme) required() bool { return s.Verify != nil }

func (s Scheme) verify(ctx context.Context, signed Signed) error {
	if err := s.Verify(ctx, signed); err != nil {
		return &SignatureError{Name: signed.Name, Err: err}
	}
	return nil
}

// Minisign is the scheme of minisign (https://jedisct1.github.io/minisign/). Each key
// is its text, "RWQ…", or the content of a .pub file; a signature by any of them
// holds. It must be of the prehashed form, the default of minisign since version
// 0.10. The trusted comment is verified too: a file name in it, as in minisign's own,
// must be the signed file's name. So the signature of another release does not hold
// for this one.
func Minisign(publicKeys ...string) (Scheme, error) {
	if len(publicKeys) == 0 {
		return Scheme{}, errors.New("minisign: there is no public key")
	}
	keys := make(map[uint64]minisign.PublicKey)
	for _, text := range publicKeys {
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(strings.TrimSpace(text))); err != nil {
			return Scheme{}, fmt.Errorf("the public key %q: %w", text, err)
		}
		keys[key.ID()] = key
	}
	return Scheme{Suffix: ".minisig", Verify: func(ctx context.Context, signed Signed) error {
		return verifyMinisign(ctx, keys, signed)
	}}, nil
}

func verifyMinisign(ctx context.Context, keys map[uint64]minisign.PublicKey, signed Signed) error {
	var signature minisign.Signature
	if err := signature.UnmarshalText(signed.Signature); err != nil {
		return err
	}
	key, known := keys[signature.KeyID]
	if !known {
		return fmt.Errorf("its key %X is not among the application's", signature.KeyID)
	}
	if signature.Algorithm != minisign.HashEdDSA {
		return errors.New("it is of the old form, not prehashed: sign the file with minisign 0.10 or later")
	}
	reader := minisign.NewReader(signed.Content)
	if _, err := io.Copy(io.Discard, untilDone{ctx, reader}); err != nil {
		return err
	}
	if !reader.Verify(key, signed.Signature) {
		return errors.New("it is not of this content")
	}
	for field := range strings.SplitSeq(signature.TrustedComment, "\t") {
		if file, named := strings.CutPrefix(field, "file:"); named && file != signed.Name {
			return fmt.Errorf("it is of a file called %q", file)
		}
	}
	return nil
}

// untilDone is a reader that fails once the context has ended.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
