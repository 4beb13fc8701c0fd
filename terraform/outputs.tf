output "address" {
  description = "Where the host names must lead: A records."
  value       = google_compute_global_address.front.address
}

output "dns_records" {
  description = "Host name to the records its owner publishes: the address, and the CNAME that proves the domain to Google."
  value = {
    for key, host in local.hosts : host => {
      a     = google_compute_global_address.front.address
      cname = google_certificate_manager_dns_authorization.host[key].dns_resource_record
    }
  }
}

output "tenant_api_url" {
  description = "Address of tenant-api, which the portal calls with an ID token."
  value       = google_cloudfunctions2_function.function["tenant-api"].service_config[0].uri
}

output "bundle_bucket" {
  description = "Where release/bundles.ts uploads to."
  value       = google_storage_bucket.bundles.name
}

output "doctor_env" {
  description = "The functions' variables, as npm run doctor reads them; nothing secret."
  value       = join("\n", [for name, value in local.environment : "${name}=${value}"])
}
