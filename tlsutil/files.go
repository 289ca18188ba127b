package tlsutil

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxFile bounds a file with certificates or a key, in bytes.
const maxFile = 4 << 20

// Files are certificates of one's own, as PEM files, for a host and plugins that
// are to know each other by an authority rather than by [Identity]. They are
// read at each call of Client and Server, so that renewed ones are used from the
// next launch on.
type Files struct {
	// Certificate is this side's certificate, followed by those between it and
	// the authority; Key is its private key. A client without them proves
	// nothing of itself, and a server needs them. Both or neither.
	Certificate, Key string

	// CA holds the certificates of the authorities that the other side's is
	// signed by. Empty: a client trusts those of the system, and a server asks
	// its clients for no certificate. With it, one is required of them.
	CA string

	// ServerName is the name that a server's certificate must have. Empty means
	// [ServerName].
	ServerName string
}

// Client returns the configuration for dialing. The error is a [FilesError]; with
// this side's certificate out of date it has a [ValidityError] in it.
func (f Files) Client() (*tls.Config, error) {
	config, err := f.read()
	if err != nil {
		return nil, err
	}
	config.ServerName = f.ServerName
	if config.ServerName == "" {
		config.ServerName = ServerName
	}
	if f.CA == "" {
		return config, nil
	}
	if config.RootCAs, err = readPool(f.CA); err != nil {
		return nil, err
	}
	return config, nil
}

// Server returns the configuration for serving. The errors are those of Client.
func (f Files) Server() (*tls.Config, error) {
	config, err := f.read()
	if err != nil {
		return nil, err
	}
	if len(config.Certificates) == 0 {
		return nil, &FilesError{What: "Certificate", Err: errors.New("a server needs one, and its Key")}
	}
	if f.CA == "" {
		return config, nil
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	if config.ClientCAs, err = readPool(f.CA); err != nil {
		return nil, err
	}
	return config, nil
}

// read is what both have in common.
func (f Files) read() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.Certificate == "" && f.Key == "" {
		return config, nil
	}
	certificate, err := readFile("Certificate", f.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := readFile("Key", f.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, &FilesError{What: "Certificate and Key", Path: f.Certificate + ", " + f.Key, Err: err}
	}
	own, err := x509.ParseCertificate(pair.Certificate[0])
	if err == nil {
		err = checkValidity(own)
	}
	if err != nil {
		return nil, &FilesError{What: "Certificate", Path: f.Certificate, Err: err}
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func readPool(path string) (*x509.CertPool, error) {
	text, err := readFile("CA", path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, &FilesError{What: "CA", Path: path, Err: errors.New("there is no certificate in it")}
	}
	return pool, nil
}

func readFile(what, path string) ([]byte, error) {
	if path == "" {
		return nil, &FilesError{What: what, Err: errors.New("it is missing: Certificate and Key belong together")}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, &FilesError{What: what, Path: path, Err: err}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	if err != nil {
		return nil, &FilesError{What: what, Path: path, Err: err}
	}
	return text, nil
}
