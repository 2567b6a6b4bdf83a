/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls_files.h"

#include "base/str.h"

#include <check.h>
#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void tls_files_make(struct tls_files *files)
{
    snprintf(files->folder, sizeof(files->folder), "/tmp/test_tls.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(files->folder));
}

void tls_files_remove(const struct tls_files *files)
{
    DIR *folder = opendir(files->folder);
    struct dirent *entry;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    ck_assert_int_eq(rmdir(files->folder), 0);
}

const char *tls_files_path(const struct tls_files *files, const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", files->folder, name);
    return path;
}

void tls_files_write(const struct tls_files *files, const char *name, const char *text)
{
    FILE *stream = fopen(tls_files_path(files, name), "we");

    ck_assert_ptr_nonnull(stream);
    fputs(text, stream);
    ck_assert_int_eq(fclose(stream), 0);
}

static void add_names(X509 *certificate, const char *const hosts[])
{
    char text[512];
    struct str_buffer names = str_buffer_init(text, sizeof(text));

    for (size_t i = 0; hosts[i]; i++)
        str_buffer_add(&names, "%sDNS:%s", i > 0 ? "," : "", hosts[i]);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    ck_assert_ptr_nonnull(extension);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

void tls_files_add(const struct tls_files *files, const char *name, const char *const hosts[],
                   long expires_in_sec)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    char file[64];

    ck_assert_ptr_nonnull(key);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -100000000);
    X509_gmtime_adj(X509_getm_notAfter(certificate), expires_in_sec);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)hosts[0], -1, -1,
                               0);
    X509_set_issuer_name(certificate, subject);
    add_names(certificate, hosts);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    snprintf(file, sizeof(file), "%s.cert", name);
    FILE *stream = fopen(tls_files_path(files, file), "we");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(PEM_write_X509(stream, certificate), 1);
    fclose(stream);
    snprintf(file, sizeof(file), "%s.key", name);
    stream = fopen(tls_files_path(files, file), "we");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(PEM_write_PrivateKey(stream, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(stream);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

SSL *tls_client_new(int fd, const char *host)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *client = SSL_new(context);

    ck_assert_ptr_nonnull(client);
    SSL_CTX_free(context);
    ck_assert_int_eq(SSL_set_fd(client, fd), 1);
    if (host)
        ck_assert_int_eq((int)SSL_set_tlsext_host_name(client, host), 1);
    return client;
}

void tls_client_free(SSL *client)
{
    SSL_free(client);
}

const char *tls_client_server(const SSL *client)
{
    static char name[128];

    name[0] = '\0';
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client)),
                              NID_commonName, name, sizeof(name));
    return name;
}
